using System.Globalization;
using Weft.Api;

namespace Weft.Client;

/// <summary>
/// Resource versions as numbers. Kubernetes calls them opaque but promises since 1.35 (KEP-5504) that those of one resource compare as
/// numbers, which etcd's revisions always did. One that is no number counts as 0: unknown.
/// </summary>
internal static class Revision
{
    public static ulong Of(IObject value) => Parse(value.Metadata.ResourceVersion);

    public static ulong Parse(string? text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
