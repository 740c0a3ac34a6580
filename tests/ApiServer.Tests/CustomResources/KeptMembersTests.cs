using System.Text.Json.Nodes;
using Weft.Api.Istio;

namespace Weft.ApiServer.Tests.CustomResources;

public sealed class KeptMembersTests
{
    // Of a definition from before hosts were given addresses, whoever wrote it.
    [Fact]
    public void Addresses_of_service_entries_have_a_place_in_definitions_that_know_none()
    {
        var schema = JsonNode.Parse("""{"type":"object","properties":{"status":{"type":"object","properties":{"observedGeneration":{"type":"integer"}}}}}""")!.AsObject();
        var kept = KeptMembers.In("networking.istio.io", "serviceentries", schema)["properties"]!["status"]!["properties"]!["addresses"]!;
        Assert.Equal("array string string", $"{kept["type"]} {kept["items"]!["properties"]!["host"]!["type"]} {kept["items"]!["properties"]!["value"]!["type"]}");
        Assert.Same(schema, KeptMembers.In("networking.istio.io", "gateways", schema));
        Assert.Null(schema["properties"]!["status"]!["properties"]!["addresses"]);
    }
}
