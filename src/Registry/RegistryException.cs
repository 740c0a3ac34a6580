namespace Weft.Registry;

/// <summary>A refusal in the words of the distribution specification: a status, a code of its list, a sentence for the user.</summary>
public sealed class RegistryException(int status, string code, string message) : Exception(message)
{
    public int Status => status;
    public string Code => code;

    internal static RegistryException NameInvalid(string name) =>
        new(400, "NAME_INVALID", $"'{name}' is no repository name: use lower-case letters, digits and single '.', '_', '-' between them, parts separated by '/'");

    internal static RegistryException NameUnknown(string name) => new(404, "NAME_UNKNOWN", $"no image '{name}' is here");

    internal static RegistryException ManifestUnknown(string name, string reference) => new(404, "MANIFEST_UNKNOWN", $"{name} has no manifest '{reference}' here");

    internal static RegistryException ManifestInvalid(string why) => new(400, "MANIFEST_INVALID", why);

    internal static RegistryException BlobUnknown(string digest) => new(404, "BLOB_UNKNOWN", $"no blob {digest} is here");

    internal static RegistryException DigestInvalid(string why) => new(400, "DIGEST_INVALID", why);

    internal static RegistryException UploadUnknown() =>
        new(404, "BLOB_UPLOAD_UNKNOWN", "no such upload: it has ended, was given up, or the server was started anew; begin the blob again");

    internal static RegistryException UploadInvalid(string why) => new(400, "BLOB_UPLOAD_INVALID", why);

    internal static RegistryException TooLarge(string what, long limit) => new(413, "SIZE_INVALID", $"{what} is larger than {limit} bytes, the limit of this registry");

    internal static RegistryException Denied(string why) => new(403, "DENIED", why);

    internal static RegistryException Unsupported(string why) => new(405, "UNSUPPORTED", why);
}
