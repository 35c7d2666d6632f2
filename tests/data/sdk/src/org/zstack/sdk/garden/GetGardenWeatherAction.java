package org.zstack.sdk.garden;

import org.zstack.sdk.*;

public class GetGardenWeatherAction extends GardenAction {
    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        info.httpMethod = "GET";
        info.path = "/gardens/{uuid}/weather/{dayNumber}";
        return info;
    }
}
