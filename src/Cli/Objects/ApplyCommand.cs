using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Client;

namespace Weft.Cli.Objects;

/// <summary>`weft apply -f`: server-side apply of every document of files, folders or standard input, in order; all of them are tried.</summary>
public sealed class ApplyCommand(KubeClient client, string defaultNamespace, TextWriter output, TextWriter errors)
{
    private const string FieldManager = "weft";

    /// <returns>0, or 1 when a document was refused.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> sources, bool force, CancellationToken cancellationToken)
    {
        var failed = 0;
        var resources = (await Discovery.ReadAsync(client, cancellationToken)).Resources;
        foreach (var (source, tree) in sources.SelectMany(Manifests.Documents))
        {
            try
            {
                // A CRD earlier in the same files may have brought the kind.
                if (!resources.Any(resource => IsOf(resource, tree)))
                    resources = (await Discovery.ReadAsync(client, cancellationToken)).Resources;
                output.WriteLine(await ApplyAsync(resources, tree, force, cancellationToken));
            }
            catch (Exception refused) when (refused is ApiStatusException or CommandException)
            {
                failed++;
                errors.WriteLine($"weft apply: {source}: {refused.Message}");
            }
        }

        return failed == 0 ? 0 : 1;
    }

    private async Task<string> ApplyAsync(IReadOnlyList<ApiResource> resources, JsonObject tree, bool force, CancellationToken cancellationToken)
    {
        var resource = resources.FirstOrDefault(candidate => IsOf(candidate, tree))
            ?? throw new CommandException($"the server has no kind {(string?)tree["kind"] ?? "(kind is missing)"} in {(string?)tree["apiVersion"] ?? "(apiVersion is missing)"}");
        var name = (string?)tree["metadata"]?["name"] ?? throw new CommandException($"a {resource.Kind} without metadata.name");
        var key = new ObjectKey(resource.Namespaced ? (string?)tree["metadata"]!["namespace"] ?? defaultNamespace : "", name);

        var objects = client.Raw(resource);
        var before = await objects.FindAsync(key, cancellationToken);
        var after = await objects.ApplyAsync(key, tree, FieldManager, cancellationToken, new WriteOptions { Force = force });
        var verb = before is null ? "created" : Revision(before) == Revision(after) ? "unchanged" : "configured";
        return $"{resource.Kind.ToLowerInvariant()}{(resource.Resource.Group.Length == 0 ? "" : "." + resource.Resource.Group)}/{name} {verb}";
    }

    private static bool IsOf(ApiResource resource, JsonObject tree) =>
        resource.Kind == (string?)tree["kind"] && resource.Resource.ApiVersion == (string?)tree["apiVersion"];

    private static string? Revision(JsonObject tree) => (string?)tree["metadata"]?["resourceVersion"];
}
