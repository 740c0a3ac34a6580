using System.Text.Json.Nodes;

namespace Weft.ApiServer.Registry;

/// <summary>`metadata.generation` counts changes of what a controller must act on: everything but metadata and a status that has its own subresource.</summary>
internal static class Generations
{
    // The core group's older kinds (Service, Node, Namespace) never had a generation; of the others those with a spec and a status do.
    public static bool Has(ResourceInfo resource) =>
        resource.IsCustom
        || resource.HasStatus && resource.Schema.Properties.ContainsKey("spec") && (resource.Resource.Group.Length > 0 || resource.Kind.Kind == "Pod");

    public static bool DesiredStateDiffers(ResourceInfo resource, JsonObject old, JsonObject tree)
    {
        foreach (var (name, value) in tree)
        {
            if (Counts(resource, name) && !JsonNode.DeepEquals(value, old[name]))
                return true;
        }
        return old.Any(member => Counts(resource, member.Key) && !tree.ContainsKey(member.Key));
    }

    private static bool Counts(ResourceInfo resource, string member) =>
        member is not ("apiVersion" or "kind" or "metadata") && !(member == "status" && (resource.HasStatus || !resource.IsCustom));
}
