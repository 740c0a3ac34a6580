using System.Collections.Frozen;

namespace Weft.Api.Cel.Library;

/// <summary>All functions that expressions may call, by name.</summary>
internal static class Functions
{
    private static readonly FrozenDictionary<string, Overload[]> All =
        ((IEnumerable<Overload>)[.. Operators.All, .. Conversions.All, .. Texts.All, .. Times.All, .. Lists.All, .. Optionals.All, .. Networks.All, .. Quantities.All, .. NamedFormats.All])
        .GroupBy(overload => overload.Name).ToFrozenDictionary(group => group.Key, group => group.ToArray());

    public static bool Knows(string name) => All.ContainsKey(name);

    public static IReadOnlyList<Overload> Find(string name, bool member, int parameters) =>
        All.TryGetValue(name, out var forms) ? [.. forms.Where(form => form.IsMember == member && form.Parameters.Length == parameters)] : [];
}
