package org.zstack.sdk.vendor;

/** No action, though it is called so. */
public class NoRequestAction {
    public String name;
}
