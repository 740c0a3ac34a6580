using Weft.Api.Autoscaling;

namespace Weft.Control.Workloads;

/// <summary>What an autoscaler does now.</summary>
/// <param name="ScaleTo">The new number of copies; null: it stays.</param>
/// <param name="Reason">Why it changes.</param>
/// <param name="Status">As it is when the change is done.</param>
/// <param name="History">Likewise.</param>
public sealed record AutoscalingPlan(int? ScaleTo, string Reason, HorizontalPodAutoscalerStatus Status, IReadOnlyList<AutoscalerEvent> Events, AutoscalerHistory History);

public sealed record AutoscalerEvent(bool IsWarning, string Reason, string Message);
