global using Xunit;
global using Meft.TestSupport.Gguf;
