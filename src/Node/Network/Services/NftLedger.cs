using System.Text;

namespace Weft.Node.Network.Services;

/// <summary>
/// Who put what into the table, and the least change that brings it to what they want now. Elements may be wanted by several: the oldest gets it,
/// and when it goes, the next. A chain may be wanted by several, too, who then all say the same of it. Not for several threads.
/// </summary>
internal sealed class NftLedger(string table)
{
    private const int ElementsEach = 1000;

    private readonly Dictionary<string, NftObjects> _owners = [];
    private readonly Dictionary<string, string> _ranks = [];
    private readonly Dictionary<string, (string Body, int Owners)> _chains = [];
    private readonly Dictionary<NftElement, SortedList<string, (string Owner, string Value)>> _claims = [];

    public IReadOnlyCollection<string> Owners => _owners.Keys;

    /// <summary>Records what the owners want now (null: nothing), and gives the script, empty when nothing changes.</summary>
    /// <param name="wanted">Owner, its rank among claimants of the same element (unique to it), and its objects.</param>
    public string Change(IEnumerable<(string Owner, string Rank, NftObjects? Objects)> wanted)
    {
        var (sets, chains, unlinked, rules, linked, emptied, gone) = (new StringBuilder(), new StringBuilder(), new StringBuilder(), new StringBuilder(), new StringBuilder(), new StringBuilder(), new StringBuilder());
        var before = new Dictionary<NftElement, string?>();
        var bodies = new Dictionary<string, string?>();
        foreach (var (owner, rank, objects) in wanted)
        {
            var old = _owners.GetValueOrDefault(owner, NftObjects.None);
            var @new = objects ?? NftObjects.None;
            foreach (var (name, declaration) in @new.Sets)
            {
                if (old.Sets.GetValueOrDefault(name) is { } known && known != declaration)
                    throw new InvalidOperationException($"set {name} of {owner} changes its declaration"); // its name must carry what it is
                if (!old.Sets.ContainsKey(name))
                    sets.Append($"add set ip {table} {name} {{ {declaration} }}\n");
            }
            foreach (var name in old.Chains.Keys.Concat(@new.Chains.Keys))
                bodies.TryAdd(name, Body(name));
            Hold(old, @new);
            foreach (var name in old.Sets.Keys.Where(name => !@new.Sets.ContainsKey(name)))
                gone.Append($"delete set ip {table} {name}\n");
            Claim(owner, rank, old, @new, before);
            if (objects is null)
            {
                _owners.Remove(owner);
                _ranks.Remove(owner);
            }
            else
                _owners[owner] = @new;
        }

        foreach (var (name, was) in bodies)
        {
            var now = Body(name);
            if (now == was)
                continue;
            if (now is null)
            {
                emptied.Append($"flush chain ip {table} {name}\n");
                gone.Append($"delete chain ip {table} {name}\n");
                continue;
            }
            if (was is null)
                chains.Append($"add chain ip {table} {name}\n");
            else
                rules.Append($"flush chain ip {table} {name}\n");
            foreach (var rule in now.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                rules.Append($"add rule ip {table} {name} {rule}\n");
        }
        foreach (var (element, was) in before)
        {
            var now = Winner(element);
            if (now == was)
                continue;
            if (was is not null)
                unlinked.Append($"delete element ip {table} {element.Set} {{ {element.Key} }}\n");
            if (now is not null)
                linked.Append($"add element ip {table} {element.Set} {{ {element.Key}{(now.Length > 0 ? " : " : "")}{now} }}\n");
        }
        // An element or rule that names a chain goes before the chain, and comes after it.
        return string.Concat(sets, chains, unlinked, rules, linked, emptied, gone);
    }

    /// <summary>Everything that is in force, for a table in which only the shared sets and chains stand, empty.</summary>
    public string Everything()
    {
        var script = new StringBuilder();
        foreach (var (name, declaration) in _owners.Values.SelectMany(objects => objects.Sets))
            script.Append($"add set ip {table} {name} {{ {declaration} }}\n");
        foreach (var name in _chains.Keys)
            script.Append($"add chain ip {table} {name}\nflush chain ip {table} {name}\n");
        foreach (var (name, (body, _)) in _chains)
        {
            foreach (var rule in body.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                script.Append($"add rule ip {table} {name} {rule}\n");
        }
        // Each command costs nft a look at the whole table: many elements a command.
        foreach (var set in _claims.Keys.GroupBy(element => element.Set))
        {
            foreach (var some in set.Chunk(ElementsEach))
                script.Append($"add element ip {table} {set.Key} {{ {string.Join(", ", some.Select(Element))} }}\n");
        }
        return script.ToString();
    }

    /// <summary>Names of all chains and sets that belong to an owner.</summary>
    public IReadOnlySet<string> Names() => _owners.Values.SelectMany(objects => objects.Sets.Keys).Concat(_chains.Keys).ToHashSet();

    /// <summary>Elements that an owner wants and another has: element and who has it.</summary>
    public IEnumerable<(NftElement Element, string Holder)> Lost(string owner)
    {
        foreach (var (element, value) in _owners.GetValueOrDefault(owner, NftObjects.None).Elements)
        {
            if (_claims.TryGetValue(element, out var claims) && claims.Values[0] is var first && first.Owner != owner && first.Value != value)
                yield return (element, first.Owner);
        }
    }

    private void Hold(NftObjects old, NftObjects @new)
    {
        foreach (var name in old.Chains.Keys.Where(name => !@new.Chains.ContainsKey(name)))
        {
            var (body, owners) = _chains[name];
            if (owners == 1)
                _chains.Remove(name);
            else
                _chains[name] = (body, owners - 1);
        }
        foreach (var (name, body) in @new.Chains)
            _chains[name] = (body, _chains.GetValueOrDefault(name).Owners + (old.Chains.ContainsKey(name) ? 0 : 1));
    }

    private string? Body(string name) => _chains.TryGetValue(name, out var chain) ? chain.Body : null;

    private void Claim(string owner, string rank, NftObjects old, NftObjects @new, Dictionary<NftElement, string?> before)
    {
        var oldRank = _ranks.GetValueOrDefault(owner, rank);
        foreach (var element in old.Elements.Keys.Where(element => oldRank != rank || !@new.Elements.ContainsKey(element)))
        {
            before.TryAdd(element, Winner(element));
            var claims = _claims[element];
            claims.Remove(oldRank);
            if (claims.Count == 0)
                _claims.Remove(element);
        }
        _ranks[owner] = rank;
        foreach (var (element, value) in @new.Elements)
        {
            before.TryAdd(element, Winner(element));
            if (!_claims.TryGetValue(element, out var claims))
                _claims[element] = claims = new SortedList<string, (string, string)>(1, StringComparer.Ordinal);
            claims[rank] = (owner, value);
        }
    }

    private string Element(NftElement element) => Winner(element) is { Length: > 0 } value ? $"{element.Key} : {value}" : element.Key;

    private string? Winner(NftElement element) => _claims.TryGetValue(element, out var claims) ? claims.Values[0].Value : null;
}
