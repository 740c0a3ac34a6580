using System.Text;
using Microsoft.AspNetCore.Http;
using Weft.Storage;

namespace Weft.ApiServer.Http;

/// <summary>One thing that must be well for the server to be: `store`, `rbac`, ... Null means well, a text says what is wrong.</summary>
public sealed record HealthCheck(string Name, Func<string?> Problem)
{
    /// <summary>Fails /readyz only: the process needs no restart.</summary>
    public bool ReadinessOnly { get; init; }
}

/// <summary>/healthz, /livez, /readyz: all checks, or one by its name; `?verbose` lists them, `?exclude=name` leaves one out.</summary>
internal sealed class HealthPaths(IReadOnlyList<HealthCheck> checks) : IPathHandler
{
    public static bool IsPublic(RequestInfo request) => !request.IsResource && (IsHealth(request.Path) || request.Path is "/version" or Api.Joining.JoinPaths.Authority);

    public bool Matches(RequestInfo request) => request.Verb is "get" or "head" && IsHealth(request.Path);

    public Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        var parts = request.Path.Split('/');
        var query = new QueryValues(context.Request.Query);
        var excluded = query.All("exclude");
        var asked = checks.Where(check => (parts[1] == "readyz" || !check.ReadinessOnly) && !excluded.Contains(check.Name)).ToList();
        if (parts.Length > 2)
        {
            asked = [.. asked.Where(check => check.Name == parts[2])];
            if (asked.Count == 0 && parts[2] != "ping")
                throw Statuses.NoSuchPath();
        }

        var text = new StringBuilder().Append("[+]ping ok\n");
        var failed = false;
        foreach (var check in asked)
        {
            var problem = check.Problem();
            failed |= problem is not null;
            text.Append(problem is null ? $"[+]{check.Name} ok\n" : $"[-]{check.Name} failed: {problem}\n");
        }
        text.Append(parts[1]).Append(failed ? " check failed\n" : " check passed\n");

        context.Response.StatusCode = failed ? 500 : 200;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache, private";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return context.Response.WriteAsync(failed || query.Flag("verbose") ? text.ToString() : "ok", cancellationToken);
    }

    private static bool IsHealth(string path) =>
        path is "/healthz" or "/livez" or "/readyz"
        || path.StartsWith("/healthz/", StringComparison.Ordinal) || path.StartsWith("/livez/", StringComparison.Ordinal) || path.StartsWith("/readyz/", StringComparison.Ordinal);
}

/// <summary>/version: the Kubernetes version whose API this server speaks, which clients compare with their own.</summary>
internal sealed class VersionPath : IPathHandler
{
    // The newest release whose built-in kinds, defaults and messages the server follows.
    private const string Answer =
        "{\"major\":\"1\",\"minor\":\"33\",\"gitVersion\":\"v1.33.0+weft\",\"gitCommit\":\"\",\"gitTreeState\":\"clean\",\"buildDate\":\"1970-01-01T00:00:00Z\","
        + "\"goVersion\":\"\",\"compiler\":\"dotnet\",\"platform\":\"linux/amd64\"}";

    public bool Matches(RequestInfo request) => request is { Verb: "get" or "head", Path: "/version" };

    public Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        context.Response.ContentType = OutputFormat.JsonType;
        return context.Response.WriteAsync(Answer, cancellationToken);
    }
}

internal sealed class MetricsPath(Metrics metrics) : IPathHandler
{
    public bool Matches(RequestInfo request) => request is { Verb: "get" or "head", Path: "/metrics" };

    public Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return context.Response.WriteAsync(metrics.Write(), cancellationToken);
    }
}
