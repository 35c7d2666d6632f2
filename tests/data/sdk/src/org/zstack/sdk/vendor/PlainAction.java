package org.zstack.sdk.vendor;

import org.zstack.sdk.*;

/** Its request depends on something. */
public class PlainAction extends AbstractAction {
    @Param(required = false)
    public String name;

    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        info.httpMethod = "POST";
        info.path = name == null ? "/one" : "/other";
        return info;
    }
}
