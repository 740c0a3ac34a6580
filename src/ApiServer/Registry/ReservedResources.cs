using Weft.Api.FrontDoor;

namespace Weft.ApiServer.Registry;

/// <summary>
/// The resources that no custom resource definition can have. Objects lie under group and plural, so a definition with such a name would share its place in the store
/// with objects that are not its own.
/// </summary>
internal sealed class ReservedResources(IEnumerable<ResourceInfo> builtIns)
{
    /// <summary>The program's own group: claims lie in it, under names that are no kind's, and no kinds are served from it but the program's own.</summary>
    public const string OwnGroup = "weft.dev";

    private readonly HashSet<(string Group, string Plural)> _builtIns = [.. builtIns.Select(resource => (resource.Resource.Group, resource.Resource.Resource))];

    private readonly HashSet<string> _own = [.. WeftKinds.All().Select(kind => kind.Plural)];

    public bool Has(string group, string plural) => group == OwnGroup ? !_own.Contains(plural) : _builtIns.Contains((group, plural));
}
