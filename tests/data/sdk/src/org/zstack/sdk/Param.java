package org.zstack.sdk;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

@Target(ElementType.FIELD)
@Retention(RetentionPolicy.RUNTIME)
public @interface Param {
    boolean required() default true;
    String[] validValues() default {};
    String validRegexValues() default "";
    int maxLength() default Integer.MIN_VALUE;
    int minLength() default Integer.MIN_VALUE;
    boolean nonempty() default false;
    boolean nullElements() default false;
    boolean emptyString() default true;
    long[] numberRange() default {};
    String[] numberRangeUnit() default {};
    boolean noTrim() default false;
}
