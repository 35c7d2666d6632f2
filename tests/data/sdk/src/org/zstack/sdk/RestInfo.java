package org.zstack.sdk;

public class RestInfo {
    public String httpMethod;
    public String path;
    public boolean needSession;
    public boolean needPoll;
    public String parameterName;
}
