namespace MeshTrust.Settings;

/// <summary>Reads one value; returns null where it is right. The same readers serve arguments, variables and files.</summary>
internal delegate Complaint? ValueReader<T>(string text, out T value);
