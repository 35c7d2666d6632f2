package org.zstack.sdk;

public abstract class QueryAction extends AbstractAction {
    @Param
    public java.util.List<String> conditions = new java.util.ArrayList<>();

    @Param(required = false)
    public Integer limit;

    @Param
    public String sessionId;
}
