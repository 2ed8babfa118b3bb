using Cake.Core.IO;

namespace Cake.Frosting.MeshTrust.Tools;

internal sealed class ToolProcesses(ToolHost host) : IProcessRunner
{
    public IProcess Start(FilePath filePath, ProcessSettings settings) => throw new NotImplementedException(host.ToString());
}
