package org.zstack.sdk;

public class CreateZoneAction extends AbstractAction {
    public static class Result {
        public ErrorCode error;
        public CreateZoneResult value;
    }

    @Param(required = true, maxLength = 255)
    public String name;

    @Param(required = false, maxLength = 2048)
    public String description;

    @Param(required = true)
    public String climate;

    @Param(required = false)
    public String resourceUuid;

    @Param(required = false)
    public java.util.List tagUuids;

    @Param(required = false)
    public java.util.List systemTags;

    @Param(required = false)
    public java.util.List userTags;

    @Param(required = false)
    public String sessionId;

    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        info.httpMethod = "POST";
        info.path = "/zones";
        info.needSession = true;
        info.needPoll = true;
        info.parameterName = "params";
        return info;
    }
}
