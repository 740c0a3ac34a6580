using System.Collections.Frozen;

namespace Weft.Api;

/// <summary>Shared empty maps, the defaults of optional members.</summary>
internal static class Empty
{
    internal static readonly IReadOnlyDictionary<string, string> Strings = FrozenDictionary<string, string>.Empty;

    internal static IReadOnlyDictionary<string, T> Map<T>() => FrozenDictionary<string, T>.Empty;
}
