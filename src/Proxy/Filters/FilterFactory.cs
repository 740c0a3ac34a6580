using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters;

/// <summary>
/// Makes filters from their configuration, for one snapshot. A filter of the snapshot before with the same key and an equal configuration is taken over with all it has (buckets of a
/// rate limit, what a cache knows), so that a change elsewhere does not reset it; but not one that is <see cref="IMadeAnew"/>.
/// </summary>
/// <param name="kinds">Who makes a filter, by the type of its record.</param>
internal sealed class FilterFactory(IReadOnlyDictionary<Type, Func<FilterConfig, IFilter>> kinds, FilterFactory? before = null)
{
    private readonly Dictionary<(string Key, FilterConfig Config), IFilter> _made = [];

    // Only what was made is kept, not who made it: a chain of all factories there ever were would never end.
    private readonly IReadOnlyDictionary<(string Key, FilterConfig Config), IFilter>? _before = before?._made;

    /// <summary>Nothing was made: whoever comes after it has nothing to take over.</summary>
    public bool IsEmpty => _made.Count == 0;

    /// <param name="key">Whose filters these are.</param>
    public IFilter[] Create(ValueList<FilterConfig> configs, string key)
    {
        if (configs.IsEmpty)
            return [];
        var filters = new IFilter[configs.Count];
        for (var i = 0; i < filters.Length; i++)
        {
            var entry = (Key: $"{key}#{i}", Config: configs[i]);
            if (!_made.TryGetValue(entry, out var filter) && (_before?.TryGetValue(entry, out filter) is not true || filter is IMadeAnew))
                filter = kinds.TryGetValue(entry.Config.GetType(), out var make) ? make(entry.Config) : throw new ArgumentException($"no filter for {entry.Config.GetType().Name}");
            _made[entry] = filters[i] = filter!;
        }

        return filters;
    }
}
