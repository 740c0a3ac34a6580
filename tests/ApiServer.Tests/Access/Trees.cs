using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Tests.Access;

/// <summary>Objects from YAML, and a way to put them into a store as the registry would.</summary>
internal static class Trees
{
    internal static JsonObject Yaml(string text) => (JsonObject)YamlTree.Parse(System.Text.Encoding.UTF8.GetBytes(text)).Root!;

    internal static async Task PutAsync(IStore store, string group, string resource, string yaml)
    {
        var tree = Yaml(yaml);
        var ns = Metadata.Namespace(tree);
        var key = $"/registry/{(group.Length == 0 ? "core" : group)}/{resource}/{(ns.Length == 0 ? "" : ns + "/")}{Metadata.Name(tree)}";
        await store.CommitAsync(new[] { Op.Put(key, Envelope.Write(tree, "v1", 0)) });
    }

    internal static Task PutRbacAsync(IStore store, string resource, string yaml) => PutAsync(store, "rbac.authorization.k8s.io", resource, yaml);

    internal static async Task DeleteAsync(IStore store, string key) => await store.CommitAsync(new[] { Op.Delete(key) });
}
