package org.zstack.sdk;

public abstract class AbstractAction {
    public String apiId;

    protected abstract RestInfo getRestInfo();
}
