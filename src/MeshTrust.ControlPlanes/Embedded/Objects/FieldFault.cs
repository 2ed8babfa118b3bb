namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>One cause of a 422: the field's path, the reason and the message in kube-apiserver's words.</summary>
internal sealed record FieldFault(string Field, string Reason, string Message)
{
    public static FieldFault Required(string field, string detail = "") =>
        new(field, "FieldValueRequired", detail.Length == 0 ? "Required value" : $"Required value: {detail}");

    public static FieldFault Invalid(string field, string value, string detail) =>
        new(field, "FieldValueInvalid", $"Invalid value: \"{value}\": {detail}");

    public static FieldFault TooLong(string field, int limit) =>
        new(field, "FieldValueTooLong", $"Too long: must have at most {limit} bytes");

    public static FieldFault Forbidden(string field, string detail) => new(field, "FieldValueForbidden", $"Forbidden: {detail}");

    public static FieldFault NotSupported(string field, string value, string supported) =>
        new(field, "FieldValueNotSupported", $"Unsupported value: {value}: supported values: {supported}");
}
