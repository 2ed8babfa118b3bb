using System.Diagnostics;

namespace MeshTrust.ControlPlanes.Native.Processes;

/// <summary>Ends children when this process ends, also by SIGKILL.</summary>
internal interface IProcessGuard
{
    void Add(Process process);

    void Remove(int id);

    /// <summary>A directory to remove after the children are ended.</summary>
    void AddDirectory(string path);

    void RemoveDirectory(string path);
}
