package org.zstack.sdk;

public class ErrorCode {
    public String code;
    public String details;
}
