using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class QuotaColumns
{
    private static readonly string[] Limits = ["limits.cpu", "limits.memory"];

    internal static ColumnList ResourceQuota() => new()
    {
        ColumnList.NameColumn,
        { "Request", "What is used of what is allowed", q => Used(q, name => !Limits.Contains(name)) },
        { "Limit", "The same of limits", q => Used(q, Limits.Contains) },
        ColumnList.AgeColumn,
    };

    // `pods: 1/4, requests.cpu: 500m/2`
    private static string Used(JsonObject quota, Func<string, bool> which)
    {
        var used = Object(quota, "status", "used");
        return string.Join(", ", (Object(quota, "status", "hard") ?? []).Where(h => which(h.Key)).OrderBy(h => h.Key, StringComparer.Ordinal)
            .Select(h => $"{h.Key}: {(used?[h.Key] is { } amount ? Scalar(amount) : "0")}/{Scalar(h.Value)}"));
    }
}
