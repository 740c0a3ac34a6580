namespace Weft.Api;

/// <summary>Why a field was refused. The names are Kubernetes' cause reasons (`FieldValueInvalid`, ...).</summary>
public enum FieldErrorKind { Required, Invalid, NotSupported, Duplicate, Forbidden, NotFound, TooLong, TooMany, TypeInvalid, Internal }

/// <param name="Path">Field path as Kubernetes writes it: `spec.containers[0].name`, `metadata.labels[app]`.</param>
/// <param name="BadValue">The refused value in its JSON form, or null where it is not shown (required, forbidden, secret).</param>
/// <param name="Detail">What is wrong with it and what would be right.</param>
public sealed record FieldError(FieldErrorKind Kind, string Path, string? BadValue, string Detail)
{
    public static FieldError Required(string path, string detail = "") => new(FieldErrorKind.Required, path, null, detail);
    public static FieldError Invalid(string path, string? badValue, string detail) => new(FieldErrorKind.Invalid, path, badValue, detail);
    public static FieldError Forbidden(string path, string detail) => new(FieldErrorKind.Forbidden, path, null, detail);
    public static FieldError Duplicate(string path, string badValue) => new(FieldErrorKind.Duplicate, path, badValue, "");
    public static FieldError NotSupported(string path, string badValue, IEnumerable<string> supported) =>
        new(FieldErrorKind.NotSupported, path, badValue, "supported values: " + string.Join(", ", supported.Select(v => $"\"{v}\"")));

    /// <summary>Kubernetes' cause reason.</summary>
    public string Reason => Kind switch
    {
        FieldErrorKind.Required => "FieldValueRequired",
        FieldErrorKind.NotSupported => "FieldValueNotSupported",
        FieldErrorKind.Duplicate => "FieldValueDuplicate",
        FieldErrorKind.Forbidden => "FieldValueForbidden",
        FieldErrorKind.NotFound => "FieldValueNotFound",
        FieldErrorKind.TooLong => "FieldValueTooLong",
        FieldErrorKind.TooMany => "FieldValueTooMany",
        FieldErrorKind.TypeInvalid => "FieldValueTypeInvalid",
        FieldErrorKind.Internal => "InternalError",
        _ => "FieldValueInvalid",
    };

    /// <summary>`Invalid value: "x": must be ...`, without the path: the message of a cause.</summary>
    public string Message
    {
        get
        {
            var head = Kind switch
            {
                FieldErrorKind.Required => "Required value",
                FieldErrorKind.NotSupported => "Unsupported value",
                FieldErrorKind.Duplicate => "Duplicate value",
                FieldErrorKind.Forbidden => "Forbidden",
                FieldErrorKind.NotFound => "Not found",
                FieldErrorKind.TooLong => "Too long",
                FieldErrorKind.TooMany => "Too many",
                FieldErrorKind.Internal => "Internal error",
                _ => "Invalid value",
            };
            if (BadValue is not null)
                head += ": " + BadValue;
            return Detail.Length == 0 ? head : $"{head}: {Detail}";
        }
    }

    public override string ToString() => $"{Path}: {Message}";
}
