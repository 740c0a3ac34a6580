namespace Weft.ApiServer.Registry;

/// <summary>
/// The resources that no custom resource definition can have. Objects lie under group and plural, so a definition with such a name would share its place in the store
/// with objects that are not its own.
/// </summary>
internal sealed class ReservedResources(IEnumerable<ResourceInfo> builtIns)
{
    /// <summary>The program's own group: claims lie in it, and no kind is served from it.</summary>
    public const string OwnGroup = "weft.dev";

    private readonly HashSet<(string Group, string Plural)> _builtIns = [.. builtIns.Select(resource => (resource.Resource.Group, resource.Resource.Resource))];

    public bool Has(string group, string plural) => group == OwnGroup || _builtIns.Contains((group, plural));
}
