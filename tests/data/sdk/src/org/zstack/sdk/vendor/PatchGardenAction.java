package org.zstack.sdk.vendor;

import org.zstack.sdk.*;

public class PatchGardenAction extends AbstractAction {
    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        info.httpMethod = "PATCH";
        info.path = "/gardens/{uuid}";
        return info;
    }
}
