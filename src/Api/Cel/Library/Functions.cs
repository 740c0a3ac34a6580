using System.Collections.Frozen;

namespace Weft.Api.Cel.Library;

/// <summary>All functions that expressions may call, by name.</summary>
internal static class Functions
{
    // Those that read the whole of a text and make little of it.
    private static IEnumerable<Overload> Readers => [.. Conversions.All, .. Times.All, .. Networks.All, .. Quantities.All, .. NamedFormats.All];

    private static readonly FrozenDictionary<string, Overload[]> All =
        ((IEnumerable<Overload>)[.. Operators.All, .. Texts.All, .. Lists.All, .. Optionals.All, .. Readers.Select(overload => overload.Reading())])
        .GroupBy(overload => overload.Name).ToFrozenDictionary(group => group.Key, group => group.ToArray());

    public static IEnumerable<Overload> Every => All.Values.SelectMany(forms => forms);

    public static bool Knows(string name) => All.ContainsKey(name);

    public static IReadOnlyList<Overload> Find(string name, bool member, int parameters) =>
        All.TryGetValue(name, out var forms) ? [.. forms.Where(form => form.IsMember == member && form.Parameters.Length == parameters)] : [];
}
