using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Client;
using Weft.Control.Mesh.Analysis;

namespace Weft.Cli.Mesh;

/// <summary>Reads from a cluster what the mesh is made from.</summary>
internal static class ClusterObjects
{
    /// <param name="told">Gets what could not be read.</param>
    public static async Task<MeshAnalysis> ReadAsync(KubeClient cluster, Action<string> told, CancellationToken cancellationToken)
    {
        var analysis = new MeshAnalysis();
        foreach (var type in MeshAnalysis.Types)
            await AddAsync(cluster, analysis, KindInfo.Of(type), cancellationToken);
        try
        {
            if (await cluster.For<ConfigMap>().FindAsync(MeshAnalysis.MeshConfig, cancellationToken) is { } config && ApiJson.ToTree(config) is JsonObject tree)
            {
                (tree["apiVersion"], tree["kind"]) = ("v1", "ConfigMap");
                analysis.Add(tree, "");
            }
        }
        catch (ApiStatusException refused) when (refused.Code == 403)
        {
            told($"you may not read ConfigMap {MeshAnalysis.MeshConfig.Namespace}/{MeshAnalysis.MeshConfig.Name}, so what it says of the whole mesh does not count here");
        }

        return analysis;
    }

    private static async Task AddAsync(KubeClient cluster, MeshAnalysis analysis, KindInfo kind, CancellationToken cancellationToken)
    {
        // A user's definition may lack the newest version.
        foreach (var version in kind.OlderVersions.Prepend(kind.Kind.Version))
        {
            try
            {
                var resource = new ApiResource(kind.Resource with { Version = version }, kind.Kind.Kind, kind.Namespaced);
                foreach (var tree in (await cluster.Raw(resource).ListAsync(null, cancellationToken)).Items)
                {
                    // Items of a list may leave out what the list says.
                    tree.TryAdd("apiVersion", resource.Resource.ApiVersion);
                    tree.TryAdd("kind", resource.Kind);
                    (tree["metadata"] as JsonObject)?.Remove("managedFields");
                    analysis.Add(tree, "");
                }

                return;
            }
            catch (ApiStatusException missing) when (missing.IsNotFound)
            {
                // Another version, or none of it.
            }
        }
    }
}
