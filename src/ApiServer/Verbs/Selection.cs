using Weft.Api.Selectors;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>The label and field selector of a list, watch or deletecollection.</summary>
internal sealed class Selection(LabelQuery labels, FieldQuery fields, FactIndex index)
{
    // A selector of one name is answered from the key: it must not work out the facts of every other object.
    private readonly string? _name = fields.RequiredValue("metadata.name");

    public bool IsEverything => labels.IsEverything && fields.IsEverything;

    /// <summary>The one name that can match, or null.</summary>
    public string? Name => _name;

    public bool Matches(Entry entry)
    {
        if (IsEverything)
            return true;
        if (_name is not null && !NameIs(entry.Key, _name))
            return false;
        var facts = index.Of(entry);
        return labels.Matches(facts.Labels) && fields.Matches(field => facts.Fields.GetValueOrDefault(field, ""));
    }

    public static Selection Read(QueryValues query, ResourceInfo resource, FactIndex index)
    {
        try
        {
            var labels = LabelQuery.Parse(query.Last("labelSelector"));
            var fields = FieldQuery.Parse(query.Last("fieldSelector"));
            foreach (var requirement in fields.Requirements)
            {
                if (!IsKnown(resource, requirement.Field))
                    throw Statuses.BadRequest($"field label not supported: {requirement.Field}");
            }
            return new Selection(labels, fields, index);
        }
        catch (SelectorException e)
        {
            throw Statuses.BadRequest(e.Message);
        }
    }

    private static bool IsKnown(ResourceInfo resource, string field) =>
        field is "metadata.name" || field is "metadata.namespace" && resource.Namespaced || resource.Strategy.SelectableFields.ContainsKey(field);

    private static bool NameIs(string key, string name) =>
        key.Length > name.Length && key.EndsWith(name, StringComparison.Ordinal) && key[^(name.Length + 1)] == '/';
}
