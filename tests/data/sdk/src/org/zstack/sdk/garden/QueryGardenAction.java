package org.zstack.sdk.garden;

import org.zstack.sdk.*;

public class QueryGardenAction extends QueryAction {
    public static class Result {
        public ErrorCode error;
        public QueryGardenResult value;
    }

    @Override
    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        info.parameterName = "";
        info.needPoll = false;
        info.needSession = true;
        info.path = "/gardens";
        info.httpMethod = "GET";
        return info;
    }
}
