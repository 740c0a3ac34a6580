using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>Query parameters as Kubernetes reads them: the last of repeated ones counts, an empty one is absent, bad numbers are a 400.</summary>
internal readonly struct QueryValues(IQueryCollection query)
{
    public string? Last(string name) =>
        query is not null && query.TryGetValue(name, out var values) && values.Count > 0 && values[^1] is { Length: > 0 } value ? value : null;

    public IReadOnlyList<string> All(string name)
    {
        if (query is null || !query.TryGetValue(name, out var values))
            return [];
        return [.. values.Where(value => !string.IsNullOrEmpty(value)).Select(value => value!)];
    }

    /// <summary>`watch`, `watch=1`, `watch=true` are true; Kubernetes takes everything but false and 0.</summary>
    public bool Flag(string name) =>
        query is not null && query.TryGetValue(name, out var values) && values.Count > 0
        && !(values[^1] is "0" || string.Equals(values[^1], "false", StringComparison.OrdinalIgnoreCase));

    public bool? OptionalFlag(string name) => query is not null && query.ContainsKey(name) ? Flag(name) : null;

    public long? Number(string name)
    {
        if (Last(name) is not { } text)
            return null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        throw Statuses.BadRequest($"query parameter '{name}' must be a number, not '{text}'");
    }
}
