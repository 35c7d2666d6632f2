package org.zstack.sdk;

public class QueryZoneAction extends QueryAction {
    public static class Result {
        public ErrorCode error;
        public QueryZoneResult value;
    }

    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        info.httpMethod = "GET";
        info.path = "/zones";
        info.needSession = true;
        info.needPoll = false;
        info.parameterName = "";
        return info;
    }
}
