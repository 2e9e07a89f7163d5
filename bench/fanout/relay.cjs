// A relay on Node, to compare fan-out with: it forwards the messages of a room and stores nothing.
// `node relay.cjs PORT`
const { Server } = require("socket.io");

const io = new Server(Number(process.argv[2]), { transports: ["websocket"], perMessageDeflate: false });
let count = 0;

io.on("connection", (socket) => {
  socket.on("join_room", ({ room, username }) => {
    socket.join(room);
    socket.data = { room, username };
    socket.emit("room_joined", { room, username, messages: [] });
  });
  socket.on("send_message", ({ message }) => {
    const { room, username } = socket.data;
    const timestamp = new Date().toISOString();
    io.to(room).emit("new_message", { id: `${socket.id}${count++}`, username, message, timestamp, room, type: "message" });
  });
});
console.log("listening");
