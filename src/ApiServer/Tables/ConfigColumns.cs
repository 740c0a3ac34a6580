using System.Text.Json.Nodes;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class ConfigColumns
{
    internal static ColumnList ConfigMap() => new()
    {
        ColumnList.NameColumn,
        { "Data", "Number of entries", c => (Object(c, "data")?.Count ?? 0) + (Object(c, "binaryData")?.Count ?? 0) },
        ColumnList.AgeColumn,
    };

    internal static ColumnList Secret() => new()
    {
        ColumnList.NameColumn,
        { "Type", "What the entries are for", s => Text(s, "type") },
        { "Data", "Number of entries", s => Object(s, "data")?.Count ?? 0 },
        ColumnList.AgeColumn,
    };

    internal static ColumnList ServiceAccount() => new()
    {
        ColumnList.NameColumn,
        { "Secrets", "Number of secrets that pods of the account may mount", s => Objects(s, "secrets").Count },
        ColumnList.AgeColumn,
    };

    internal static ColumnList Binding() => new()
    {
        ColumnList.NameColumn,
        { "Role", "The role that is given", b => $"{Text(Object(b, "roleRef"), "kind")}/{Text(Object(b, "roleRef"), "name")}" },
        ColumnList.AgeColumn,
        new Wide("Users", "Users it is given to", b => Subjects(b, "User")),
        new Wide("Groups", "Groups it is given to", b => Subjects(b, "Group")),
        new Wide("ServiceAccounts", "Service accounts it is given to", b => Subjects(b, "ServiceAccount")),
    };

    private static string Subjects(JsonObject binding, string kind) =>
        string.Join(", ", Objects(binding, "subjects").Where(s => Text(s, "kind") == kind)
            .Select(s => kind == "ServiceAccount" ? $"{Text(s, "namespace")}/{Text(s, "name")}" : Text(s, "name")));
}
