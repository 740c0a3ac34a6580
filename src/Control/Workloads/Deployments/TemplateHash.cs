using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Core;
using Weft.Api.Json;

namespace Weft.Control.Workloads;

/// <summary>The short name of a pod template: part of the replica set's name and the value of `pod-template-hash`.</summary>
internal static class TemplateHash
{
    public const string Label = "pod-template-hash";

    // No vowels, and none of the digits that look like one: no accidental words, as Kubernetes' names.
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    public static string Of(PodTemplateSpec template, int? collisions)
    {
        var hash = Fnv1a(Encoding.UTF8.GetBytes(Canonical(ApiJson.ToTree(template)) + collisions?.ToString(CultureInfo.InvariantCulture)));
        return string.Concat(hash.ToString(CultureInfo.InvariantCulture).Select(digit => Alphabet[digit % Alphabet.Length]));
    }

    /// <summary>Whether a set was made of this template: the hash label does not count.</summary>
    public static bool IsMadeOf(this PodTemplateSpec? existing, PodTemplateSpec template) =>
        existing is not null && Canonical(ApiJson.ToTree(WithoutHash(existing))) == Canonical(ApiJson.ToTree(WithoutHash(template)));

    public static PodTemplateSpec WithHash(PodTemplateSpec template, string hash) => template with
    {
        Metadata = template.Metadata with { Labels = new Dictionary<string, string>(template.Metadata.Labels) { [Label] = hash } },
    };

    private static PodTemplateSpec WithoutHash(PodTemplateSpec template) => template with
    {
        Metadata = template.Metadata with { Labels = template.Metadata.Labels.Where(label => label.Key != Label).ToDictionary() },
    };

    // Members in order: two writers of the same template may list a map's keys differently.
    private static string Canonical(JsonNode? node) => node switch
    {
        JsonObject map => "{" + string.Join(',', map.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => $"{JsonValue.Create(member.Key).ToJsonString()}:{Canonical(member.Value)}")) + "}",
        JsonArray list => "[" + string.Join(',', list.Select(Canonical)) + "]",
        null => "null",
        _ => node.ToJsonString(),
    };

    // FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
    private static uint Fnv1a(ReadOnlySpan<byte> bytes)
    {
        var hash = 2166136261;
        foreach (var b in bytes)
            hash = unchecked((hash ^ b) * 16777619);
        return hash;
    }
}
