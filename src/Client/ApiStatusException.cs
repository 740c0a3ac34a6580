using Weft.Api;

namespace Weft.Client;

/// <summary>The API server refused a request, and said why in a <see cref="Weft.Api.Status"/>.</summary>
public sealed class ApiStatusException(Status status) : Exception(status.Message ?? status.Reason ?? "The API server refused the request.")
{
    public Status Status => status;
    public int Code => status.Code ?? 500;

    public bool IsNotFound => Code == 404;
    public bool IsAlreadyExists => status.Reason == "AlreadyExists";

    /// <summary>The object changed since it was read, or another manager owns the field; never "already exists", which has the same code.</summary>
    public bool IsConflict => Code == 409 && !IsAlreadyExists;

    /// <summary>The resource version is too old, or a continue token has expired: list again.</summary>
    public bool IsGone => Code == 410;
    public bool IsForbidden => Code == 403;

    /// <summary>The server's store has no room for a write; reads go on.</summary>
    public bool IsWithoutRoom => Code == 500 && status.Details?.Causes.Any(cause => cause.Reason == StatusCause.StoreReadOnly) == true;

    public bool IsInvalid => Code == 422;

    /// <summary>The namespace is being deleted: nothing can be created in it any more, and trying again is pointless.</summary>
    public bool IsNamespaceTerminating => Code == 403 && (status.Details?.Causes.Any(cause => cause.Reason == "NamespaceTerminating") ?? false);
}
