namespace MeshTrust.Benchmarks.Processes;

/// <summary>A measured process failed, or took longer than its deadline: there is no figure.</summary>
internal sealed class ChildFailedException(string message) : Exception(message);
