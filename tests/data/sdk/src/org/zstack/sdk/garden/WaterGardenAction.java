package org.zstack.sdk.garden;

import org.zstack.sdk.*;

public class WaterGardenAction extends GardenAction {
    @Param(required = false)
    public Integer litres = 1000;

    protected RestInfo getRestInfo() {
        final RestInfo info;
        int unused = 300, other = 70000;
        info = new RestInfo();
        info.httpMethod = "PUT";
        info.path = "/gardens/" + "{uuid}" + "/actions";
        info.needSession = true;
        info.needPoll = true;
        info.parameterName = "waterGarden";
        return info;
    }
}
