using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Discovery;

/// <summary>/api, /apis and what is below them up to a version: which resources there are.</summary>
public sealed class DiscoveryHandler(IResourceCatalog catalog) : IPathHandler
{
    private DiscoveryDocuments? _documents;

    public bool Matches(RequestInfo request) => !request.IsResource && (IsBelow(request.Path, "/api") || IsBelow(request.Path, "/apis"));

    public Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        var document = Documents().Find(request.Path, AggregatedVersion(context.Request.Headers.Accept.ToString())) ?? throw Statuses.NoSuchPath();
        return document.WriteAsync(context, cancellationToken);
    }

    private DiscoveryDocuments Documents()
    {
        var snapshot = catalog.Current;
        var documents = Volatile.Read(ref _documents);
        if (documents is null || documents.Epoch != snapshot.Epoch)
            Volatile.Write(ref _documents, documents = new DiscoveryDocuments(snapshot));
        return documents;
    }

    private static bool IsBelow(string path, string root) => path == root || path.StartsWith(root + "/", StringComparison.Ordinal);

    /// <summary>The first of the accepted types that is an aggregated form we have, or plain JSON if that stands before it.</summary>
    internal static string? AggregatedVersion(string accept)
    {
        foreach (var type in accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = type.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not ("application/json" or "*/*" or "application/*"))
                continue;
            var parameters = parts.Skip(1).Where(p => !p.StartsWith("q=", StringComparison.Ordinal)).ToHashSet();
            if (!parameters.Any(p => p.StartsWith("as=", StringComparison.Ordinal)))
                return null;
            if (parameters.Contains("as=APIGroupDiscoveryList") && parameters.Contains("g=apidiscovery.k8s.io"))
            {
                if (parameters.Contains("v=v2"))
                    return "v2";
                if (parameters.Contains("v=v2beta1"))
                    return "v2beta1";
            }
        }

        return null;
    }
}
