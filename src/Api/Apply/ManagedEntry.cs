using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Api.Apply;

/// <summary>One entry of managedFields: what one manager owns by one operation.</summary>
internal sealed record ManagedEntry(string Manager, bool Applied, string ApiVersion, string Subresource, DateTimeOffset? Time, FieldSet Fields)
{
    // The JSON that the fields were read from, as long as they are the same: most writes leave most entries alone.
    private (FieldSet Fields, JsonNode Tree)? _source;

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>Entries of one identity are one entry. An applier is the same in every version; an updater is not.</summary>
    public (string, bool, string, string) Identity => (Manager, Applied, Applied ? "" : ApiVersion, Subresource);

    /// <summary>As a conflict names the entry.</summary>
    public override string ToString()
    {
        var name = System.Text.Encoding.UTF8.GetString(JsonTree.WriteUtf8(JsonValue.Create(Manager)));
        if (Subresource.Length > 0)
            name += $" with subresource \"{Subresource}\"";
        return Applied ? name : $"{name} using {ApiVersion}";
    }

    public JsonObject Write()
    {
        var tree = new JsonObject();
        if (Manager.Length > 0)
            tree["manager"] = Manager;
        tree["operation"] = Applied ? "Apply" : "Update";
        if (ApiVersion.Length > 0)
            tree["apiVersion"] = ApiVersion;
        if (Time is { } time)
            tree["time"] = time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        tree["fieldsType"] = "FieldsV1";
        tree["fieldsV1"] = _source is { } source && ReferenceEquals(source.Fields, Fields) ? source.Tree.DeepClone() : FieldsV1.Write(Fields);
        if (Subresource.Length > 0)
            tree["subresource"] = Subresource;
        return tree;
    }

    /// <exception cref="FieldsException">Not an entry.</exception>
    public static ManagedEntry Read(JsonNode? node)
    {
        if (node is not JsonObject tree)
            throw new FieldsException("an entry of managedFields must be an object");
        if ((tree["fieldsType"].AsText() ?? "FieldsV1") is not "FieldsV1" and var type)
            throw new FieldsException($"unsupported fieldsType \"{type}\": it must be FieldsV1");
        var applied = tree["operation"].AsText() switch
        {
            "Apply" => true,
            "Update" => false,
            var other => throw new FieldsException($"invalid operation \"{other}\": it must be Apply or Update"),
        };
        DateTimeOffset? time = tree["time"].AsText() is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed) ? parsed : null;
        var fields = tree["fieldsV1"] is { } read ? FieldsV1.Read(read) : FieldSet.Empty;
        return new(tree["manager"].AsText() ?? "", applied, tree["apiVersion"].AsText() ?? "", tree["subresource"].AsText() ?? "", time, fields)
        {
            _source = tree["fieldsV1"] is { } kept ? (fields, kept) : null,
        };
    }
}
