using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Metrics;
using Weft.Api.Selectors;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Usage;

namespace Weft.ApiServer.Subresources;

/// <summary>custom.metrics.k8s.io: a metric is in its path where a subresource is, `pods/NAME/METRIC`, `pods/*/METRIC?labelSelector=`, `services/NAME/METRIC`.</summary>
internal sealed class MetricSubresource(RequestMetrics? requests) : ISubresource
{
    public const string Group = "custom.metrics.k8s.io";

    public bool Serves(ResourceInfo resource, string subresource) => resource.Resource.Group == Group;

    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        if (request.Info.Verb != "get")
            throw Statuses.MethodNotAllowed();
        var (ns, name, metric) = (request.Info.Namespace, request.Info.Name, request.Info.Subresource);
        if (requests is null || metric != MetricValueList.RequestsPerSecond)
            throw Statuses.NotFound(resource.Resource with { Resource = $"{resource.Resource.Resource}/{metric}" }, name);
        // It has no labels, so none can be asked for.
        if (request.Query.Last("metricLabelSelector") is { Length: > 0 } chosen)
            throw Statuses.BadRequest($"{metric} has no labels, so metricLabelSelector={chosen} chooses nothing");
        var rates = resource.Resource.Resource == "pods"
            ? await requests.PodsAsync(ns, name == "*" ? "" : name, Selector(request), request.Aborted)
            : [await requests.ServiceAsync(resource.Resource, ns, name, request.Aborted)];
        if (rates.Count == 0 && name != "*")
            throw Statuses.NotFound(resource.Resource, name);
        var list = new JsonObject
        {
            ["kind"] = "MetricValueList", ["apiVersion"] = $"{Group}/{resource.Resource.Version}", ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray([.. rates.Select(JsonNode (rate) => Value(rate, resource.Resource, metric))]),
        };
        await ResponseWriter.WriteTreeAsync(request, OutputFormat.Negotiate(request.Http.Request.Headers.Accept) with { Shape = OutputShape.Object }, list);
    }

    private static LabelQuery Selector(ApiRequest request)
    {
        try
        {
            return LabelQuery.Parse(request.Query.Last("labelSelector"));
        }
        catch (SelectorException wrong)
        {
            throw Statuses.BadRequest(wrong.Message);
        }
    }

    private static JsonObject Value(RequestRate rate, GroupVersionResource resource, string metric)
    {
        var value = new JsonObject
        {
            ["describedObject"] = new JsonObject
            {
                ["kind"] = resource.Resource == "pods" ? "Pod" : "Service", ["namespace"] = Metadata.Namespace(rate.Object), ["name"] = Metadata.Name(rate.Object), ["apiVersion"] = "/v1",
            },
        };
        // v1beta1 has the metric's name where v1beta2 has an object.
        if (resource.Version == "v1beta1")
            value["metricName"] = metric;
        else
            value["metric"] = new JsonObject { ["name"] = metric, ["selector"] = null };
        value["timestamp"] = rate.At.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        value["windowSeconds"] = (long)Math.Round(rate.Window.TotalSeconds);
        value["value"] = Quantity.FromMilli(rate.Milli).ToString();
        if (resource.Version == "v1beta1")
            value["selector"] = null;
        return value;
    }
}
