using System.Text.Json.Nodes;
namespace Weft.ApiServer.Registry;
internal static class FieldOwnership
{
    public static void Created(WriteContext context, JsonObject tree) { }
    public static void Updated(WriteContext context, JsonObject tree, JsonObject old) { }
    public static JsonObject Apply(WriteContext context, JsonObject? current, JsonObject configuration, bool force) => configuration;
}
