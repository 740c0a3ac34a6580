using System.Collections;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Tables;

/// <summary>Lets a kind's columns be written as a list, one line each.</summary>
internal sealed class ColumnList : IEnumerable<TableColumn>
{
    private readonly List<TableColumn> _columns = [];

    public void Add(string name, string description, Func<JsonObject, string> value) =>
        _columns.Add(new TableColumn(name, "string", "", description, 0, (tree, _) => JsonValue.Create(value(tree))));

    public void Add(string name, string description, Func<JsonObject, long> value) =>
        _columns.Add(new TableColumn(name, "integer", "", description, 0, (tree, _) => JsonValue.Create(value(tree))));

    public void Add(string name, string description, Func<JsonObject, bool> value) =>
        _columns.Add(new TableColumn(name, "boolean", "", description, 0, (tree, _) => JsonValue.Create(value(tree))));

    public void Add(string name, string description, Func<JsonObject, DateTimeOffset, string> value) =>
        _columns.Add(new TableColumn(name, "string", "", description, 0, (tree, now) => JsonValue.Create(value(tree, now))));

    public void Add(TableColumn column) => _columns.Add(column);

    /// <summary>Columns shown by `-o wide` only.</summary>
    public void Add(Wide column) =>
        _columns.Add(new TableColumn(column.Name, "string", "", column.Description, 1, (tree, _) => JsonValue.Create(column.Value(tree))));

    public void Add(WideAt column) =>
        _columns.Add(new TableColumn(column.Name, "string", "", column.Description, 1, (tree, now) => JsonValue.Create(column.Value(tree, now))));

    public IEnumerator<TableColumn> GetEnumerator() => _columns.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The column every table begins with; clients find the name by its format.</summary>
    internal static readonly TableColumn NameColumn = new(
        "Name", "string", "name", "Name, unique within its namespace", 0, (tree, _) => JsonValue.Create(Metadata.Name(tree)));

    internal static readonly TableColumn AgeColumn = new(
        "Age", "string", "", "Time since the object was created", 0, (tree, now) => JsonValue.Create(HumanTime.Since(Cells.Object(tree, "metadata")?["creationTimestamp"], now)));

    internal static readonly TableColumn CreatedColumn = new(
        "Created At", "date", "", "When the object was created", 0, (tree, _) => JsonValue.Create(Cells.Text(Cells.Object(tree, "metadata"), "creationTimestamp")));
}

internal sealed record Wide(string Name, string Description, Func<JsonObject, string> Value);

internal sealed record WideAt(string Name, string Description, Func<JsonObject, DateTimeOffset, string> Value);
