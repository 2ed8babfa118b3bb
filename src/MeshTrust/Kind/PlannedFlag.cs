namespace MeshTrust.Kind;

/// <summary>A flag of a control-plane process that a kubeadm patch sets.</summary>
/// <param name="Component"><c>kube-apiserver</c>, <c>kube-controller-manager</c> or <c>kube-scheduler</c>.</param>
/// <param name="Name">The flag without dashes.</param>
/// <param name="Value">Its value.</param>
public sealed record PlannedFlag(string Component, string Name, string Value);
