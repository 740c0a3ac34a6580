using Microsoft.AspNetCore.Http;
using Weft.Api.Apply;
using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Http;

/// <summary>One request on its way through the pipeline. Each stage fills in what it finds out.</summary>
internal sealed class ApiRequest(HttpContext http, string auditId)
{
    private readonly Lock _gate = new();
    private List<string>? _warnings;

    public HttpContext Http => http;
    public string AuditId => auditId;
    public QueryValues Query { get; } = new(http.Request.Query);
    public RequestInfo Info { get; set; } = new("", "");
    public UserInfo User { get; set; } = UserInfo.Anonymous;
    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>Sentences for `Warning:` headers, each once.</summary>
    public IReadOnlyList<string> Warnings => _warnings ?? [];

    public void Warn(string text)
    {
        // A deletecollection works on several objects at once.
        lock (_gate)
        {
            _warnings ??= [];
            if (!_warnings.Contains(text))
                _warnings.Add(text);
        }
    }

    public void Warn(IEnumerable<string> texts)
    {
        foreach (var text in texts)
            Warn(text);
    }

    /// <summary>`dryRun=All`: everything is done but the write.</summary>
    public bool ReadDryRun(IReadOnlyList<string>? fromBody = null)
    {
        var dryRun = false;
        foreach (var value in Query.All("dryRun").Concat(fromBody ?? []))
        {
            if (value != "All")
                throw Statuses.Invalid(MetaKinds.Options(Info.Verb), "", [Api.FieldError.NotSupported("dryRun", $"\"{value}\"", ["All"])]);
            dryRun = true;
        }
        return dryRun;
    }

    /// <summary>Who owns the fields of this write: `fieldManager`, or the program's name from the user agent as Kubernetes takes it.</summary>
    public string ManagerName
    {
        get
        {
            if (Query.Last("fieldManager") is { } named)
            {
                if (named.Length > FieldManager.MaxNameLength || named.Any(char.IsControl))
                    throw Statuses.Invalid(MetaKinds.Options(Info.Verb), "",
                        [Api.FieldError.Invalid("fieldManager", $"\"{(named.Length > 32 ? named[..32] : named)}\"", $"must be printable and at most {FieldManager.MaxNameLength} characters")]);
                return named;
            }
            return FieldManager.DefaultName(http.Request.Headers.UserAgent.ToString());
        }
    }
}

internal static class MetaKinds
{
    private const string Group = "meta.k8s.io";

    public static readonly Api.GroupVersionKind ListOptions = new(Group, "v1", "ListOptions");
    public static readonly Api.GroupVersionKind DeleteOptions = new(Group, "v1", "DeleteOptions");

    /// <summary>The options kind that messages about a write's query name.</summary>
    public static Api.GroupVersionKind Options(string verb) => new(Group, "v1", verb switch
    {
        "create" => "CreateOptions",
        "update" => "UpdateOptions",
        "patch" => "PatchOptions",
        "delete" or "deletecollection" => "DeleteOptions",
        _ => "ListOptions",
    });
}
