package org.zstack.sdk.garden;

import org.zstack.sdk.*;

/** What several actions share. */
abstract class GardenAction extends AbstractAction {
    @Param(required = true)
    public String uuid;

    protected RestInfo getRestInfo() {
        return null;
    }
}
