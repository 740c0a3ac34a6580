using System.Globalization;
using Weft.Api;

namespace Weft.ApiServer.Http;

/// <summary>
/// Makes every `Status` that the server answers. Codes, reasons, message shapes and details are those of Kubernetes' apimachinery `errors` package:
/// kubectl and client libraries decide by them.
/// </summary>
public static class Statuses
{
    public static ApiException NotFound(GroupVersionResource resource, string name) =>
        Failure(404, "NotFound", $"{resource.Qualified} \"{name}\" not found", About(resource, name));

    /// <summary>A path that leads nowhere, as opposed to an object that does not exist.</summary>
    public static ApiException NoSuchPath() =>
        Failure(404, "NotFound", "the server could not find the requested resource", new StatusDetails());

    public static ApiException AlreadyExists(GroupVersionResource resource, string name) =>
        Failure(409, "AlreadyExists", $"{resource.Qualified} \"{name}\" already exists", About(resource, name));

    public static ApiException Conflict(GroupVersionResource resource, string name, string why) =>
        Failure(409, "Conflict", $"Operation cannot be fulfilled on {resource.Qualified} \"{name}\": {why}", About(resource, name));

    public static ApiException Modified(GroupVersionResource resource, string name) =>
        Conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiException UidPrecondition(GroupVersionResource resource, string name, string wanted, string actual) =>
        Conflict(resource, name, $"Precondition failed: UID in precondition: {wanted}, UID in object meta: {actual}");

    public static ApiException RevisionPrecondition(GroupVersionResource resource, string name, string wanted, string actual) =>
        Conflict(resource, name, $"Precondition failed: ResourceVersion in precondition: {wanted}, ResourceVersion in object meta: {actual}");

    public static ApiException ApplyConflict(string message, IEnumerable<StatusCause> causes) =>
        Failure(409, "Conflict", message, new StatusDetails { Causes = [.. causes] });

    public static ApiException Invalid(GroupVersionKind kind, string name, IReadOnlyCollection<FieldError> errors)
    {
        var qualified = kind.Group.Length == 0 ? kind.Kind : $"{kind.Kind}.{kind.Group}";
        var texts = errors.Select(error => error.ToString()).Distinct().ToList();
        var list = texts.Count == 1 ? texts[0] : $"[{string.Join(", ", texts)}]";
        return Failure(422, "Invalid", $"{qualified} \"{name}\" is invalid: {list}", new StatusDetails
        {
            Name = name,
            Group = NullIfEmpty(kind.Group),
            Kind = kind.Kind,
            Causes = [.. errors.Select(error => new StatusCause { Reason = error.Reason, Message = error.Message, Field = error.Path })],
        });
    }

    /// <summary>A patch that is well formed but does not fit the object it is applied to.</summary>
    public static ApiException Unprocessable(GroupVersionResource resource, string name, string why) =>
        // kubectl prints the causes of such a Status and, when it names an object, nothing else.
        Failure(422, "Invalid", why, About(resource, name) with { Causes = [new StatusCause { Reason = "FieldValueInvalid", Message = why, Field = "patch" }] });

    /// <summary>A refusal of a request on a resource; <paramref name="why"/> says which right or rule.</summary>
    public static ApiException Forbidden(GroupVersionResource resource, string name, string why, params StatusCause[] causes)
    {
        var subject = name.Length == 0 ? resource.Qualified : $"{resource.Qualified} \"{name}\"";
        return Failure(403, "Forbidden", $"{subject} is forbidden: {why}", About(resource, name) with { Causes = causes });
    }

    public static ApiException ForbiddenPath(string why) => Failure(403, "Forbidden", $"forbidden: {why}", new StatusDetails());

    public static ApiException Unauthorized() => Failure(401, "Unauthorized", "Unauthorized", null);

    public static ApiException BadRequest(string message) => Failure(400, "BadRequest", message, null);

    public static ApiException MethodNotAllowed() =>
        Failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", new StatusDetails());

    public static ApiException NotAcceptable(params string[] accepted) =>
        Failure(406, "NotAcceptable", "only the following media types are accepted: " + string.Join(", ", accepted), null);

    public static ApiException UnsupportedMediaType(params string[] accepted) =>
        Failure(415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: " + string.Join(", ", accepted), null);

    public static ApiException TooLarge(long limit) =>
        Failure(413, "RequestEntityTooLarge", string.Create(CultureInfo.InvariantCulture, $"Request entity too large: limit is {limit}"), null);

    public static ApiException Timeout(string message, int retryAfterSeconds) =>
        Failure(504, "Timeout", $"Timeout: {message}", new StatusDetails { RetryAfterSeconds = retryAfterSeconds });

    public static ApiException RevisionTooLarge(long requested, long current) =>
        Failure(504, "Timeout", string.Create(CultureInfo.InvariantCulture, $"Timeout: Too large resource version: {requested}, current: {current}"),
            new StatusDetails
            {
                Causes = [new StatusCause { Reason = "ResourceVersionTooLarge", Message = "Too large resource version" }],
                RetryAfterSeconds = 1,
            });

    public static ApiException Expired(long requested, long oldest) =>
        Failure(410, "Expired", string.Create(CultureInfo.InvariantCulture, $"too old resource version: {requested} ({oldest})"), null);

    /// <summary>A watcher that did not read fast enough: it must list again.</summary>
    public static ApiException WatcherTooSlow() =>
        Failure(410, "Expired", "too old resource version: the watcher fell too far behind and must list again", null);

    /// <summary>A continue token of a compacted revision, with one that goes on without consistency.</summary>
    public static ApiException ContinueExpired(string inconsistentToken)
    {
        const string message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
            + "parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an "
            + "inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
        var failure = Failure(410, "Expired", message, null).Status;
        return new ApiException(failure with { Metadata = new ListMeta { Continue = inconsistentToken } });
    }

    public static ApiException TooManyRequests(string message, int retryAfterSeconds) =>
        Failure(429, "TooManyRequests", message, new StatusDetails { RetryAfterSeconds = retryAfterSeconds });

    public static ApiException Unavailable(string message) => Failure(503, "ServiceUnavailable", message, null);

    public static ApiException Internal(string message, string? cause = null) =>
        Failure(500, "InternalError", $"Internal error occurred: {message}", new StatusDetails { Causes = [new StatusCause { Reason = cause, Message = message }] });

    /// <summary>As <see cref="Internal"/>, with the reason by which the server's own parts know that waiting helps.</summary>
    public static ApiException WithoutRoom(string why) => Internal($"the store cannot take writes: {why}", StatusCause.StoreReadOnly);

    /// <summary>The answer to a delete that removed the object.</summary>
    public static Status Deleted(GroupVersionResource resource, string name, string uid) => new()
    {
        Result = "Success",
        Details = new StatusDetails { Name = name, Group = NullIfEmpty(resource.Group), Kind = resource.Resource, Uid = NullIfEmpty(uid) },
    };

    public static Status Success() => new() { Result = "Success" };

    private static ApiException Failure(int code, string reason, string message, StatusDetails? details) =>
        new(new Status { Result = "Failure", Message = message, Reason = reason, Details = details, Code = code });

    private static StatusDetails About(GroupVersionResource resource, string name) =>
        new() { Name = NullIfEmpty(name), Group = NullIfEmpty(resource.Group), Kind = resource.Resource };

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
