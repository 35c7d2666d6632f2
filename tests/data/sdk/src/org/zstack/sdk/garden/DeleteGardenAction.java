package org.zstack.sdk.garden;

import org.zstack.sdk.*;

@Deprecated
public class DeleteGardenAction extends GardenAction {
    @Param(required = false)
    public String deleteMode = "Permissive";

    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        info.httpMethod = "DELETE";
        info.path = "/gardens/{uuid}";
        info.needSession = true;
        info.needPoll = true;
        info.parameterName = "";
        return info;
    }
}
