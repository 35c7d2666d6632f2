package org.zstack.sdk.garden;

import org.zstack.sdk.*;

/** Written by hand, otherwise than the platform does it. */
public class MoveGardenAction extends GardenAction {
    enum Verb {
        GET, POST
    }

    @Param
    public String zoneUuid;

    @Override
    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        String path = "/gardens/{uuid}/move";
        boolean yes = Boolean.TRUE;
        long unused = 5_000_000_000L;
        info.httpMethod = Verb.POST.name();
        info.path = path;
        info.needPoll = info.needSession = yes;
        info.parameterName = "params";
        return info;
    }
}
