using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Tables;

/// <summary>The columns of a custom kind: its CRD's additionalPrinterColumns, or the age when there are none.</summary>
public static class CustomColumns
{
    public static IReadOnlyList<TableColumn> Of(JsonArray? printerColumns)
    {
        var columns = (printerColumns ?? []).OfType<JsonObject>().Select(Column).ToList();
        return columns.Count == 0 ? [ColumnList.NameColumn, ColumnList.AgeColumn] : [ColumnList.NameColumn, .. columns];
    }

    private static TableColumn Column(JsonObject definition)
    {
        var type = Cells.Text(definition, "type", "string");
        var path = SimplePath.Parse(Cells.Text(definition, "jsonPath"));
        return new TableColumn(
            Cells.Text(definition, "name"), type, Cells.Text(definition, "format"), Cells.Text(definition, "description"),
            (int)Cells.Number(definition, "priority"), (tree, now) => path is null ? null : Cell([.. path.Find(tree)], type, now));
    }

    private static JsonNode? Cell(IReadOnlyList<JsonNode> found, string type, DateTimeOffset now)
    {
        if (found.Count == 0)
            return null;
        switch (type)
        {
            case "date":
                return JsonValue.Create(HumanTime.Since(found[0], now));
            case "integer":
                return found[0] is JsonValue whole && long.TryParse(whole.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    ? JsonValue.Create(number) : null;
            case "number":
                return found[0] is JsonValue real && double.TryParse(real.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var fraction)
                    ? JsonValue.Create(fraction) : null;
            case "boolean":
                return found[0] is JsonValue flag && flag.TryGetValue<bool>(out var yes) ? JsonValue.Create(yes) : null;
            default:
                return JsonValue.Create(string.Join(' ', found.Select(n => n is JsonValue v ? v.ToString() : n.ToJsonString())));
        }
    }
}
