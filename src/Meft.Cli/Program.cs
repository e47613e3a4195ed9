using Meft.Cli.CommandLine;
using Meft.Cli.Verbs;

var streams = StandardStreams.OfProcess();
using var interruption = new Interruption(streams.Error);
return new MeftProgram(VerbList.Create(), streams, interruption).Run(args, interruption.Token);
